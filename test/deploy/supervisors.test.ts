// Those of examples/deploy that start the server and keep it running: start, a reload under load, and a graceful stop by their own commands.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { Deployment, example } from "../support/deployment.ts";
import { Load } from "../support/loads/load.ts";
import { describeWith, toolPath } from "../support/peers.ts";
import { allReplaced, childrenOf, until } from "../support/server.ts";

const app = `export async function fetch(request) { await request.text(); return new Response("hello"); }\n`;

interface Supervisor {
  readonly tool: string;
  /** Writes what it reads, and starts it. */
  readonly start: (deployment: Deployment, port: number) => void;
  /** The file below its folder that the server's log goes to; none if the supervisor prints it. */
  readonly log?: string;
  /** The command that sends HUP; none where the supervisor has none. */
  readonly reload?: (deployment: Deployment) => string[];
  /** The command that stops the server, and its exit code; none where the supervisor's own end does it. */
  readonly stop?: (deployment: Deployment) => string[];
}

const supervisors: readonly Supervisor[] = [
  {
    tool: "runsv",
    start(deployment, port) {
      const { folder } = deployment;
      const text = example("runit/run", {
        // chpst changes the user: that takes root, and an account.
        "exec chpst -u web /usr/local/bin/bun": `exec ${process.execPath}`,
        "/srv/web": folder,
        "127.0.0.1:8000": `127.0.0.1:${port}`,
        "/run/web/web.pid": `${folder}/web.pid`,
      });
      deployment.write("service/run", text, 0o755);
      deployment.run([toolPath("runsv")!, join(folder, "service")]);
    },
    reload: ({ folder }) => ["sv", "hup", join(folder, "service")],
    stop: ({ folder }) => ["sv", "-w", "100", "down", join(folder, "service")],
  },
  {
    tool: "supervisord",
    start(deployment, port) {
      const { folder } = deployment;
      mkdirSync(join(folder, "log"));
      const program = example("supervisor.conf", {
        "/usr/local/bin/bun": process.execPath,
        "127.0.0.1:8000 ": `127.0.0.1:${port} -p ${folder}/web.pid `,
        "/srv/web": folder,
        "user=web\n": "",
        "/var/log/supervisor/web.log": `${folder}/log/web.log`,
      });
      const own = `[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=${folder}/supervisord.pid
[unix_http_server]
file=${folder}/control.sock
[supervisorctl]
serverurl=unix://${folder}/control.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
`;
      const file = deployment.write("supervisord.conf", own + program);
      deployment.run([toolPath("supervisord")!, "-c", file]);
    },
    log: "log/web.log",
    reload: ({ folder }) => [
      "supervisorctl",
      "-c",
      join(folder, "supervisord.conf"),
      "signal",
      "HUP",
      "web",
    ],
    stop: ({ folder }) => ["supervisorctl", "-c", join(folder, "supervisord.conf"), "stop", "web"],
  },
  {
    tool: "sh",
    start(deployment, port) {
      const { folder } = deployment;
      // What foreman and its kin do with a line: a shell runs the command, with PORT.
      const [, command = ""] =
        /^web: (.+)$/m.exec(
          example("Procfile", { "app:fetch": `-p ${folder}/web.pid app:fetch` }),
        ) ?? [];
      deployment.run(["sh", "-c", `exec ${command}`], { PORT: String(port) });
    },
  },
];

/** Its exit code, and what it says if that isn't 0. The load is in this process: it mustn't be held up. */
async function ran(command: readonly string[]): Promise<string> {
  const running = Bun.spawn([...command], {
    env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, notes] = await Promise.all([running.stdout.text(), running.stderr.text()]);
  const code = await running.exited;
  return code === 0 ? "0" : `${code} ${output}${notes}`;
}

for (const supervisor of supervisors) {
  describeWith([supervisor.tool], `examples/deploy, by ${supervisor.tool}`, () => {
    test("starts the server; a reload loses nothing; the stop is graceful", async () => {
      await using deployment = new Deployment();
      const { folder } = deployment;
      deployment.install();
      deployment.write("app.ts", app);
      const port = freePort();
      supervisor.start(deployment, port);
      await deployment.says("Using worker: async", supervisor.log);
      const master = Number(readFileSync(join(folder, "web.pid"), "utf8"));

      const load = new Load({
        port,
        fresh: 3,
        kept: 3,
        posting: 2,
        expected: "hello",
        untilGone: true,
      });
      await load.more(200);
      const before = childrenOf(master);
      if (supervisor.reload === undefined) process.kill(master, "SIGHUP");
      else expect(await ran(supervisor.reload(deployment))).toBe("0");
      await allReplaced(() => childrenOf(master), before);
      await load.more(200);

      if (supervisor.stop === undefined) deployment.kill("SIGTERM");
      else expect(await ran(supervisor.stop(deployment))).toBe("0");
      await deployment.says(`[${master}] [INFO] Shutting down: Master`, supervisor.log);
      expect((await load.ended()).failures).toEqual([]);
      await until("the pid file to be gone", () => !existsSync(join(folder, "web.pid")));
      if (supervisor.stop === undefined) await deployment.exited;
    });
  });
}
