import { createServer } from "node:http";
import { Server } from "socket.io";
import { serveRoom } from "./socket-io-room.js";

const server = createServer((_request, response) => response.end("plain"));
serveRoom(new Server(server));
server.listen(process.env.PORT);
