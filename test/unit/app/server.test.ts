import { expect, test } from "bun:test";
import {
  AppServer,
  withoutWebsockets,
  type AppServerHost,
  type ClientAddress,
} from "../../../src/app/server.ts";

const client: ClientAddress = { address: "192.0.2.1", family: "IPv4", port: 5000 };
const request = new Request("http://localhost/");

function serverOf(changes: Partial<AppServerHost> = {}): AppServer {
  return new AppServer({
    address: { address: "127.0.0.1", family: "IPv4", port: 8000 },
    url: "http://127.0.0.1:8000",
    protocol: "http",
    rootPath: "/mount",
    slot: 3,
    pendingRequests: () => 2,
    requestIP: (asked) => (asked === request ? client : null),
    timeout: () => {},
    websockets: () => withoutWebsockets("server.upgrade() is not supported: not here"),
    earlyHints: () => false,
    peerCertificate: () => null,
    trace: () => null,
    ...changes,
  });
}

test("AppServer describes itself as Bun's Server does", () => {
  const server = serverOf();
  const { hostname, port, protocol, development, id, pendingRequests } = server;
  expect({ hostname, port, protocol, development, id, pendingRequests }).toEqual({
    hostname: "127.0.0.1",
    port: 8000,
    protocol: "http",
    development: false,
    id: "",
    pendingRequests: 2,
  });
  expect(server.url).toEqual(new URL("http://127.0.0.1:8000/"));
  expect(server.address).toEqual({ address: "127.0.0.1", family: "IPv4", port: 8000 });
  expect([server.pendingWebSockets, server.subscriberCount("a"), server.publish("a", "b")]).toEqual(
    [0, 0, 0],
  );
});

test("AppServer on a unix socket has a path, and neither hostname nor port", () => {
  const server = serverOf({ address: "/run/app.sock", url: "unix:///run/app.sock" });
  expect([server.address, server.hostname, server.port, server.url.href]).toEqual([
    "/run/app.sock",
    undefined,
    undefined,
    "unix:///run/app.sock",
  ]);
});

test("AppServer.requestIP() and timeout() ask the worker", () => {
  const timeouts: [Request, number][] = [];
  const server = serverOf({ timeout: (asked, seconds) => void timeouts.push([asked, seconds]) });
  expect(server.requestIP(request)).toBe(client);
  expect(server.requestIP(new Request("http://localhost/"))).toBeNull();
  server.timeout(request, 5);
  expect(timeouts).toEqual([[request, 5]]);
});

test("AppServer.earlyHints() asks the worker", () => {
  const server = serverOf({ earlyHints: (asked) => asked === request });
  expect(server.earlyHints(request, {})).toBe(true);
  expect(server.earlyHints(new Request("http://localhost/"), {})).toBe(false);
});

test("AppServer.upgrade() is false for a request that asks for none", () => {
  expect(serverOf().upgrade(request)).toBe(false);
  expect(
    serverOf().upgrade(new Request("http://localhost/", { headers: { upgrade: "h2c" } })),
  ).toBe(false);
});

const websocket = new Request("http://localhost/", { headers: { upgrade: "WebSocket" } });
const refused: [method: string, call: (server: AppServer) => unknown, message: string][] = [
  ["upgrade", (server) => server.upgrade(websocket), "not here"],
  ["reload", (server) => server.reload(), "send the master the signal HUP"],
  ["stop", (server) => server.stop(), "send it the signal TERM"],
  ["fetch", (server) => server.fetch(), "call the app's own fetch"],
  ["unref", (server) => server.unref(), "the master decides"],
  ["closeIdleConnections", (server) => server.closeIdleConnections(), "the setting keepalive"],
];

test.each(refused)("AppServer.%s() is refused with a sentence", (method, call, message) => {
  expect(() => call(serverOf())).toThrow(`server.${method}() is not supported`);
  expect(() => call(serverOf())).toThrow(message);
});

test("AppServer has every member of Bun's Server", async () => {
  await using native = Bun.serve({ port: 0, fetch: () => new Response() });
  const members = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(native)));
  const server = serverOf();
  expect(members.filter((name) => !(name in server))).toEqual([]);
});
