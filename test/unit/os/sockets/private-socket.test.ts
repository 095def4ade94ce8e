import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenPrivately } from "../../../../src/os/sockets/private-socket.ts";

function serve(unix: string): Bun.Server<undefined> {
  return Bun.serve({ unix, fetch: () => new Response("here") });
}

/** Whether it is reached, and how. */
async function ask(path: string): Promise<string> {
  return (await fetch("http://localhost/", { unix: path })).text();
}

test("a private socket is reached by a descriptor, and has neither a name nor rights for others", async () => {
  const folder = mkdtempSync(join(tmpdir(), "private-socket-"));
  let given = "";
  const { listening, path } = listenPrivately((unix) => serve((given = unix)), [folder]);
  expect(given).toStartWith(`${folder}/gunicorn-ts-`);
  expect(path).toStartWith("/proc/self/fd/");
  expect(readdirSync(folder)).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await ask(path)).toBe("here");
  await listening.stop(true);
  rmSync(folder, { recursive: true });
});

const refused: [claim: string, folder: string][] = [
  ["that isn't there", "/nowhere"],
  ["that is a file", import.meta.path],
  ["that takes no files", "/proc"],
];

test.each(refused)("of a folder %s the next one is taken", async (_claim, folder) => {
  const { listening, path } = listenPrivately(serve, [folder, tmpdir()]);
  expect(path).toStartWith("/proc/self/fd/");
  expect(await ask(path)).toBe("here");
  await listening.stop(true);
});

test("a path that is too long is left alone", () => {
  const parent = mkdtempSync(join(tmpdir(), "private-socket-"));
  const folder = mkdtempSync(join(parent, `${"x".repeat(100)}-`));
  const { listening, path } = listenPrivately(serve, [folder]);
  expect(path).toStartWith("\0gunicorn-ts-");
  expect(readdirSync(folder)).toEqual([]);
  void listening.stop(true);
  rmSync(parent, { recursive: true });
});

test("without any folder it is an abstract one", async () => {
  const { listening, path } = listenPrivately(
    serve,
    refused.map(([, folder]) => folder),
  );
  expect(path).toStartWith("\0gunicorn-ts-");
  const answer = Promise.withResolvers<string>();
  await Bun.connect({
    unix: path,
    socket: {
      open: (socket) => void socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      data: (socket, bytes) => {
        answer.resolve(bytes.toString());
        socket.end();
      },
    },
  });
  expect(await answer.promise).toEndWith("here");
  await listening.stop(true);
});

test("what listening throws is thrown, and nothing stays", () => {
  const folder = mkdtempSync(join(tmpdir(), "private-socket-"));
  const listen = () => {
    throw new TypeError("on purpose");
  };
  expect(() => listenPrivately(listen, [folder])).toThrow("on purpose");
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(existsSync(folder)).toBe(false);
});
