/** Events that all clients of socket.io ask for. */
export function serveRoom(io) {
  io.on("connection", (socket) => {
    socket.join("room");
    socket.emit("welcome", socket.conn.transport.name);
    socket.on("echo", (data, answer) => answer(data));
    socket.on("all", (text) => socket.to("room").emit("said", text));
    socket.on("bye", () => socket.disconnect(true));
  });
}
