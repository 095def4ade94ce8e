/** Each command of the control socket while something is under way, and for who isn't allowed any. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type Data } from "../../src/cli/ctl/client.ts";
import { type CommandName, commandEntries } from "../../src/control/commands.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, type RunningServer, until, waitsForGo } from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";

const limitMs = 240_000;
const app = `export const fetch = () => new Response("ok");`;

function controlled(files: Readonly<Record<string, string>> = {}) {
  return gunicorn({
    files: { "app.ts": app, ...files },
    args: ["-w", "2", "--control-socket", "app.ctl"],
  });
}

const socketOf = ({ folder }: RunningServer) => join(folder, "app.ctl");

/** What a command needs behind its name, when the workers have these pids. A token that nobody waits with. */
const words: Record<CommandName, (pids: readonly number[]) => string> = {
  "show stats": () => "",
  "show workers": () => "",
  "show requests": () => "",
  "show load": () => "",
  "show listeners": () => "",
  "show config": () => "",
  help: () => "",
  reopen: () => "",
  "log-level": () => "debug",
  heap: ([pid]) => `${pid} ${"0".repeat(32)}`,
  profile: ([pid]) => `${pid} 0.1 ${"1".repeat(32)}`,
  "worker restart": ([pid]) => `${pid}`,
  "worker kill": ([, pid]) => `${pid}`,
  "worker add": () => "1",
  "worker remove": () => "1",
  scale: () => "2",
  drain: () => "",
  reload: () => "",
  upgrade: () => "",
  shutdown: () => "graceful",
};

const looks = (name: CommandName) => name.startsWith("show ") || name === "help";
/** In their order those that look, then those that change, but for what ends the state that a test is about. */
const names = Object.keys(words) as CommandName[];

async function pidsOf(client: Client): Promise<readonly number[]> {
  return await until("two ready workers", async () => {
    const { workers } = await client.ask(["show", "workers"]);
    const ready = (workers as readonly Data[]).filter(({ state }) => state === "ready");
    return ready.length === 2 ? ready.map(({ pid }) => Number(pid)) : null;
  });
}

/** What each command is answered with: `ok`, or the reason of its refusal. */
async function askAll(client: Client, which: readonly CommandName[], pids: readonly number[]) {
  const answers: Record<string, string> = {};
  for (const name of which) {
    const asked = `${name} ${words[name](pids)}`.trim().split(" ");
    answers[name] = await client.ask(asked).then(
      () => "ok",
      (error: Error) => error.message,
    );
  }
  return answers;
}

function all(which: readonly CommandName[], answer: (name: CommandName) => string) {
  return Object.fromEntries(which.map((name) => [name, answer(name)]));
}

test("no command is left out", () => {
  expect(names.toSorted()).toEqual(commandEntries.map(([name]) => name).toSorted());
});

describe("each command is answered", () => {
  test(
    "during a reload",
    async () => {
      await using server = await controlled();
      using client = await Client.connect(socketOf(server));
      const pids = await pidsOf(client);
      writeFileSync(
        join(server.folder, "app.ts"),
        `console.error("importing"); ${waitsForGo} ${app}`,
      );
      await client.ask(["reload"]);
      await server.logged("importing");
      const asked = names.filter((name) => name !== "upgrade" && name !== "shutdown");
      expect(await askAll(client, asked, pids)).toEqual(all(asked, () => "ok"));
      server.go();
      await pidsOf(client);
      expect(await (await server.fetch()).text()).toBe("ok");
      expect(await askAll(client, ["shutdown"], [])).toEqual({ shutdown: "ok" });
      expect(await server.process.exited).toBe(0);
    },
    limitMs,
  );

  test(
    "during a drain",
    async () => {
      await using server = await controlled();
      using client = await Client.connect(socketOf(server));
      const pids = await pidsOf(client);
      await client.ask(["drain"]);
      const asked = names.filter((name) => !["reload", "upgrade", "shutdown"].includes(name));
      expect(await askAll(client, asked, pids)).toEqual(all(asked, () => "ok"));
      expect(await client.ask(["show", "stats"])).toMatchObject({ draining: true });
      await pidsOf(client);
      expect(await (await server.fetch()).text()).toBe("ok");
      expect(await askAll(client, ["reload", "shutdown"], [])).toEqual({
        reload: "ok",
        shutdown: "ok",
      });
      expect(await server.process.exited).toBe(0);
    },
    limitMs,
  );

  test(
    "during an upgrade, by both masters",
    async () => {
      await using server = await controlled();
      const path = socketOf(server);
      using client = await Client.connect(path);
      await client.ask(["upgrade"]);
      // Its file is there before anybody answers.
      using next = await until("the new master", () =>
        Client.connect(`${path}.2`).catch(() => null),
      );
      const asked = names.filter((name) => name !== "shutdown");
      const { pid } = await next.ask(["show", "stats"]);
      const there = `A new master (pid:${String(pid)}) is there already`;
      expect(await askAll(client, asked, await pidsOf(client))).toEqual(
        all(asked, (name) => (name === "upgrade" ? there : "ok")),
      );
      expect(await askAll(next, asked, await pidsOf(next))).toEqual(
        all(asked, (name) => (name === "upgrade" ? "The old master is still there" : "ok")),
      );
      expect(await askAll(client, ["shutdown"], [])).toEqual({ shutdown: "ok" });
      await server.logged("Master has been promoted.");
      await pidsOf(next);
      expect(await (await server.fetch()).text()).toBe("ok");
      expect(await askAll(next, ["shutdown"], [])).toEqual({ shutdown: "ok" });
      await until("the end", () => server.ended());
    },
    limitMs,
  );

  test(
    "during a stop, and then those that change the server are refused",
    async () => {
      const slow = `export const fetch = async ({ url }) => {
        if (url.endsWith("/slow")) { console.error("asked"); ${waitsForGo} }
        return new Response("done"); };`;
      await using server = await controlled({ "app.ts": slow });
      using client = await Client.connect(socketOf(server));
      const pids = await pidsOf(client);
      const answer = server.fetch("/slow");
      await server.logged("asked");
      await client.ask(["shutdown"]);
      const refused = "The server is shutting down";
      const goOn = (name: CommandName) =>
        looks(name) || name === "reopen" || name === "log-level" || name === "shutdown";
      expect(await askAll(client, names, pids)).toEqual(
        all(names, (name) => (goOn(name) ? "ok" : refused)),
      );
      server.go();
      expect(await (await answer).text()).toBe("done");
      expect(await server.process.exited).toBe(0);
    },
    limitMs,
  );
});

/** Asks each command on a connection of its own, as whoever runs it. */
const stranger = `const [client, path, ...commands] = process.argv.slice(2);
const { Client } = await import(client);
for (const command of commands) {
  using connection = await Client.connect(path);
  try { await connection.ask(command.split(" ")); console.log("done"); } catch (error) { console.log(error.message); }
}`;

test.skipIf(!canBeNobody || !isRoot)(
  `each command is refused to another user${needsRoot}`,
  async () => {
    const folder = folderForAll();
    await using server = await gunicorn({
      folder,
      files: { "app.ts": app, "stranger.ts": stranger },
      args: ["-w", "2", "--control-socket", "app.ctl", "--control-socket-mode", "0666"],
    });
    using client = await Client.connect(socketOf(server));
    const pids = await pidsOf(client);
    const commands = names.map((name) => `${name} ${words[name](pids)}`.trim());
    const program = join(import.meta.dir, "../../src/cli/ctl/client.ts");
    const child = Bun.spawn(
      [...asNobody, process.execPath, "stranger.ts", program, "app.ctl", ...commands],
      { cwd: folder, env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines = (await child.stdout.text()).trimEnd().split("\n");
    const refusal = "Refused: only user 0 and root may, not user 65534";
    expect(lines).toEqual(names.map(() => refusal));
    expect(await pidsOf(client)).toEqual(pids);
    expect(server.log).not.toContain("Handling command");
  },
  limitMs,
);
