/** New connections go to the workers that have least to do. Counts, not times. */
import { setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { countsOf, type Visit, visit } from "../../bench/balance/visits.ts";
import { gunicorn, type RunningServer, start, until, waitsForGo } from "../support/server.ts";
import { dawdle } from "../support/dawdle.ts";

setDefaultTimeout(120_000);

const workers = 4;

/** Answers with the slot of its worker. */
const app = `export const fetch = () => new Response(process.env.GUNICORN_SLOT);`;

const files = { "app.ts": app };

const args = ["-w", String(workers), "--keep-alive", "3600", "--timeout", "0"];

const linux = process.platform === "linux";

/** A server whose workers all serve. */
async function serving(): Promise<RunningServer> {
  const server = await gunicorn({ files, args });
  await until("all to serve", async () => {
    const all = await Promise.all(Array.from({ length: 32 }, () => visitOf(server)));
    for (const { leave } of all) leave();
    return countsOf(all, workers).every((count) => count > 0);
  });
  return server;
}

function visitOf({ port }: RunningServer): Promise<Visit> {
  return visit({ hostname: "127.0.0.1", port });
}

const asked = 100;

/**
 * Clients come one after another, each when the one before is answered or has waited; nearly all are answered, and
 * nobody is lost.
 */
async function nearlyAllAreAnswered(server: RunningServer, goOn: () => void): Promise<void> {
  let answered = 0;
  for (let count = 0; count < asked; count += 1) {
    const one = visitOf(server).then(() => (answered += 1));
    await Promise.race([one, dawdle(50)]);
  }
  // By chance it would be 75, and in the kernel's own way.
  await until("nearly all to be answered", () => answered >= 90);
  goOn();
  await until("all to be answered", () => answered === asked);
}

test.if(linux)("a worker that stands still gets hardly a connection", async () => {
  await using server = await serving();
  const [still = 0] = server.workers();
  process.kill(still, "SIGSTOP");
  await nearlyAllAreAnswered(server, () => process.kill(still, "SIGCONT"));
});

test.if(linux)("a worker that loads its app gets hardly a connection", async () => {
  await using server = await serving();
  const [first = 0] = server.workers();
  writeFileSync(join(server.folder, "app.ts"), `${waitsForGo}\n${app}`);
  process.kill(first, "SIGKILL");
  await server.logged(`pid:${first}`);
  await until(
    "its successor",
    () => server.workers().length === workers && !server.workers().includes(first),
  );
  await nearlyAllAreAnswered(server, () => server.go());
});

test.if(linux)(
  "nor does it while another master's workers load theirs on the same sockets",
  async () => {
    await using server = await serving();
    const [first = 0] = server.workers();
    writeFileSync(join(server.folder, "app.ts"), `${waitsForGo}\n${app}`);
    process.kill(server.pid, "SIGUSR2");
    await until("a new master's workers", () => server.log.split("Using worker:").length > 2);
    process.kill(first, "SIGKILL");
    await server.logged(`pid:${first}`);
    await nearlyAllAreAnswered(server, () => server.go());
  },
);

test("nobody waits for a worker that stands still at a socket that all share", async () => {
  await using server = start({ files, args, bind: ["unix:socket"] });
  // The file is there before anybody listens.
  await server.logged("Using worker:");
  const place = { unix: join(server.folder, "socket") };
  const visits: Visit[] = [];
  // Each has some, so that the others are ahead of the one that stands still.
  await until("all to serve", async () => {
    visits.push(...(await Promise.all(Array.from({ length: 16 }, () => visit(place)))));
    return countsOf(visits, workers).every((count) => count > 0);
  });
  const [still = 0] = server.workers();
  for (const { slot, leave } of visits) if (slot === 0) leave();
  process.kill(still, "SIGSTOP");
  for (let count = 0; count < asked; count += 10)
    await Promise.all(Array.from({ length: 10 }, () => visit(place)));
});
