/**
 * A chat by websockets: what one client sends, all get, whichever worker they are connected to.
 *
 *     gunicorn-ts -w 2 chat.ts
 */
import type { Server, ServerWebSocket } from "bun";

interface Guest {
  readonly name: string;
}

export default {
  fetch(request: Request, server: Server<Guest>): Response | undefined {
    const name = new URL(request.url).searchParams.get("name") ?? "somebody";
    if (server.upgrade(request, { data: { name } })) return undefined;
    return new Response("Connect by websocket: ws://.../?name=YOU\n", { status: 426 });
  },

  websocket: {
    open(socket: ServerWebSocket<Guest>): void {
      socket.subscribe("room");
      socket.publish("room", `${socket.data.name} has come`);
    },
    message(socket: ServerWebSocket<Guest>, message: string | Buffer): void {
      socket.publish("room", `${socket.data.name}: ${message}`);
    },
    close(socket: ServerWebSocket<Guest>): void {
      // It has left the room already.
      socket.publish("room", `${socket.data.name} has left`);
    },
  },
};
