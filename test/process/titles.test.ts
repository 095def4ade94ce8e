import { expect, test } from "bun:test";
import { readProc } from "../support/daemon.ts";
import { gunicorn, start, until } from "../support/server.ts";

const onLinux = process.platform === "linux";
const app = `export const fetch = () => Response.json([process.argv.length, process.execArgv]);`;

async function ps(pid: number): Promise<string> {
  return (await Bun.$`ps -o args= -p ${pid}`.quiet().text()).trim();
}

test.skipIf(!onLinux).each([
  [[], "app"],
  [["-n", "shop"], "shop"],
])("ps shows master and worker, with %j", async (args, name) => {
  await using server = await gunicorn({ files: { "app.ts": app }, args });
  const [worker = 0] = await server.settled(1);
  expect(await ps(server.pid)).toBe(`gunicorn: master [${name}]`);
  expect(await ps(worker)).toBe(`gunicorn: worker [${name}]`);
  expect(readProc(`${server.pid}/comm`)).toBe("gunicorn: maste\n");
  expect(readProc(`${worker}/comm`)).toBe("gunicorn: worke\n");
  // What the app sees of its command line is what it always saw.
  expect(await (await fetch(server.url)).json()).toEqual([2, ["--no-install"]]);
});

test.skipIf(!onLinux)("a worker has its title before its app is imported", async () => {
  const waits = `await new Promise(() => setInterval(() => {}, 1000)); ${app}`;
  await using server = start({ files: { "app.ts": waits }, args: ["-n", "shop"] });
  await server.logged("Booting worker");
  const [worker = 0] = server.workers();
  await until("the title", async () => (await ps(worker)) === "gunicorn: worker [shop]");
  expect(await server.stop("SIGINT")).toBe(0);
});
