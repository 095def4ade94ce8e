/** Two clients of socket.io: `URL TRANSPORTS`. Prints what they see, and `closed` when the server has left. */
import { io } from "socket.io-client";

const [url, transports] = process.argv.slice(2);
const open = () => io(url, { transports: transports.split(","), reconnection: false });
const event = (socket, name) => new Promise((resolve) => socket.once(name, resolve));

const clients = [open(), open()];
const welcomes = await Promise.all(clients.map((socket) => event(socket, "welcome")));
const [one, other] = clients;
const upgraded = ({ io: { engine } }) =>
  engine.transport.name === "websocket" || event(engine, "upgrade");
if (transports.includes("websocket")) await Promise.all(clients.map(upgraded));
const names = clients.map((socket) => socket.io.engine.transport.name);
const echoes = [];
for (const data of ["h\u00e9llo", { a: [1] }, Buffer.from([1, 0, 255]), "x".repeat(100_000)]) {
  const echo = await one.emitWithAck("echo", data);
  echoes.push(Buffer.isBuffer(echo) ? [...echo] : echo);
}
const heard = event(other, "said");
one.emit("all", "to all");
const said = await heard;
const ended = event(one, "disconnect");
one.emit("bye");
const why = await ended;
const last = await other.emitWithAck("echo", "still here");
console.log(JSON.stringify({ welcomes, names, echoes, said, why, last }));
await event(other, "disconnect");
console.log("closed");
process.exit(0);
