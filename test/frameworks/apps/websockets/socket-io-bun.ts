import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { serveRoom } from "./socket-io-room.js";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
serveRoom(io);

export default { port: process.env.PORT, ...engine.handler() };
