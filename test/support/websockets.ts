/** An app with websockets, and clients that know which worker serves them. */
import { gunicorn, type RunningServer, until } from "./server.ts";
import { Client } from "./websocket-client.ts";

/** Does what its clients say: `publish TEXT`, `throw`... */
const app = `import { generation } from "./generation.ts";
let next = 0;
// Once the app is found, a server of its own is one.
let secret = null;
const privateServer = () => secret ??= Bun.serve({
  port: 0,
  fetch: (request, server) => void server.upgrade(request),
  websocket: {
    open(socket) { socket.subscribe("room"); },
    message(socket, text) { socket.publish("room", text); },
  },
});
function fail(text) { throw new Error(text); }
export default {
  fetch(request, server) {
    if (server.upgrade(request)) return;
    const { pathname } = new URL(request.url);
    if (pathname === "/private") return new Response(String(privateServer().port));
    const topic = decodeURIComponent(pathname.slice(1));
    return new Response(topic === "" ? "" : String(server.publish(topic, "to " + topic)));
  },
  websocket: {
    open(socket) {
      socket.subscribe("room");
      socket.send(JSON.stringify({ pid: process.pid, generation }));
    },
    message(socket, message) {
      if (typeof message !== "string") return void socket.publish("room", message);
      const [order, text] = message.split(":");
      if (order === "publish") socket.publish("room", text);
      if (order === "publishText") socket.publishText("room", text);
      if (order === "publishBinary") socket.publishBinary("room", new Uint8Array([4, 5]));
      if (order === "corked") socket.cork((same) => same.publish("room", text));
      if (order === "count") for (let at = 0; at < Number(text); at += 1) socket.publish("room", "n" + at);
      if (order === "next") socket.publish("room", \`number \${process.pid} \${next++}\`);
      if (order === "flood") {
        for (let at = 0; at < Number(text); at += 1) socket.publish("nobody", "x".repeat(1e6));
        socket.send("flooded");
      }
      if (order === "throw") fail("on purpose");
      if (order === "reject") return Bun.sleep(1).then(() => fail("on purpose"));
      if (order === "echo") socket.send(text);
    },
    close(socket, code) {
      console.error("closed with " + code + " at " + performance.now());
      socket.publish("room", "left");
    },
  },
};`;

export const files = { "app.ts": app, "generation.ts": "export const generation = 1;" };

export interface Member {
  readonly client: Client;
  readonly pid: number;
  readonly generation: number;
}

export async function connect(url: string): Promise<Member> {
  const client = new Client(url);
  await until("a welcome", () => client.heard.length > 0);
  return {
    client,
    ...(JSON.parse(client.heard[0] as string) as { pid: number; generation: number }),
  };
}

/** Connects until each of so many workers has two clients. */
export async function crowd(url: string, workers: number): Promise<Member[]> {
  const members: Member[] = [];
  await until(`two clients of each of ${workers} workers`, async () => {
    members.push(await connect(url));
    const counts = Map.groupBy(members, ({ pid }) => pid);
    return counts.size === workers && [...counts.values()].every((each) => each.length >= 2);
  });
  return members;
}

/** Who has heard something, and how often. */
export function hearers(members: readonly Member[], text: string): number[] {
  return members.map(({ client }) => client.heard.filter((heard) => heard === text).length);
}

/** What came before is heard by now. */
export async function settle(server: RunningServer, members: readonly Member[]): Promise<void> {
  const topic = `room`;
  const seen = members.map(({ client }) => client.heard.length);
  await fetch(`${server.url}/${topic}`, { keepalive: false });
  await until("the last message", () =>
    members.every(({ client }, index) => client.heard.indexOf("to room", seen[index]) !== -1),
  );
}

/** The worker classes that take websockets. */
export const classes = ["async", "serve"] as const;

/** Serves the app by a worker class. */
export function serveApp(
  workerClass: string,
  args: readonly string[],
  bind?: readonly string[],
): Promise<RunningServer> {
  const options = { files, args: ["-k", workerClass, ...args] };
  return gunicorn(bind === undefined ? options : { ...options, bind });
}
