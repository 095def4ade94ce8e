/** What clients of websockets say to every app that has them, and what they hear. */
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { type Asked, bytesOf, type Observation } from "./observe.ts";
import { has, type Row, row } from "./requests.ts";

/** What a client hears, one line for each event. */
class Listener implements Disposable {
  readonly socket: WebSocket;
  readonly heard: string[] = [];

  constructor(port: number, protocols: readonly string[]) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, [...protocols]);
    this.socket.binaryType = "arraybuffer";
    const { heard, socket } = this;
    const hear = (line: string) => void heard.push(line.trim());
    socket.addEventListener("open", () => hear(`open ${socket.protocol}`));
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) =>
      heard.push(shown(data)),
    );
    socket.addEventListener("close", ({ code, reason }) => hear(`close ${code} ${reason}`));
  }

  /** Waits until so many events have come. */
  async hears(count: number): Promise<void> {
    await until(`${count} events, heard: ${this.heard.join(", ")}`, () => {
      return this.heard.length >= count || this.heard.at(-1)?.startsWith("close");
    });
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

function shown(data: string | ArrayBuffer): string {
  if (typeof data === "string") {
    return data.length < 1000 ? `text ${data}` : `text of ${data.length}`;
  }
  const bytes = new Uint8Array(data);
  return bytes.length < 100 ? `bytes ${bytes.toHex()}` : `bytes ${Bun.SHA256.hash(bytes, "hex")}`;
}

type Say = (client: Listener, other: () => Promise<Listener>) => Promise<void>;

function heardBy(clients: readonly Listener[]): Observation {
  const body = clients.map(({ heard }) => heard.join("\n")).join("\n--\n");
  return { status: "101 heard", fields: {}, body };
}

/** A client that has opened says something; the answer is what it, and others that it has called, have heard. */
function talk(name: string, expected: string, say: Say, protocols: readonly string[] = []): Row {
  const ask = async (port: number) => {
    const clients: Listener[] = [];
    const join = async () => {
      const client = new Listener(port, protocols);
      clients.push(client);
      await client.hears(1);
      return client;
    };
    try {
      await say(await join(), join);
      return heardBy(clients);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  };
  return { name, isAnswer: ({ body }) => body.includes(expected), ask };
}

/** Sends, and waits for one event. */
function tells(data: string | Uint8Array<ArrayBuffer>): Say {
  return async (client) => {
    client.socket.send(data);
    await client.hears(2);
  };
}

async function broadcast(client: Listener, other: () => Promise<Listener>): Promise<void> {
  const others = [await other(), await other()];
  client.socket.send("broadcast to all");
  for (const each of others) await each.hears(2);
}

/** The app tells who comes next how the one before has left. */
async function leaves(client: Listener, other: () => Promise<Listener>): Promise<void> {
  client.socket.close(4002, "enough");
  await client.hears(2);
  const next = await other();
  await until("the app to be told", async () => {
    next.socket.send("last");
    const before = next.heard.length;
    await next.hears(before + 1);
    return next.heard.at(-1)?.includes("4002");
  });
  next.heard.splice(1, next.heard.length - 2);
}

const handshake: Asked = {
  path: "/ws",
  headers: {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  },
};

/** RFC 6455 §5.7: "Hello" in two frames, masked by nothing but zeros; they come in one piece with the handshake. */
const fragments = Buffer.from("0183 00000000 48656c 8082 00000000 6c6f".replaceAll(" ", ""), "hex");

const inFragments: Row = {
  name: "fragments that come with the handshake",
  isAnswer: has("echoed"),
  ask: async (port) => {
    using client = await RawClient.connect(port);
    client.send(Buffer.concat([bytesOf(handshake), fragments]));
    await client.seen("Hello");
    return { status: "200 OK", fields: {}, body: "echoed" };
  },
};

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);

export const websocketRows: readonly Row[] = [
  talk("websocket: text", "text gr\u00fc\u00dfe", tells("gr\u00fc\u00dfe")),
  talk("websocket: bytes", "bytes ", tells(bytes)),
  talk("websocket: no text", "text", tells("")),
  talk("websocket: a long text", "text of 200000", tells("x".repeat(200_000))),
  talk("websocket: broadcast", "broadcast to all", broadcast),
  talk("websocket: the app closes", "close 4001 bye", tells("close")),
  talk("websocket: the client closes", "4002", leaves),
  talk("websocket: subprotocol", "open chat", tells("x"), ["chat", "other"]),
  inFragments,
  row("websocket: no handshake", ({ status }) => /^[2-5]/.test(status), { path: "/ws" }),
];
