/** What a socket of the package ws does. */
let last = "nobody";

export function talk(server) {
  return (socket) => {
    socket.on("message", (data, isBinary) => {
      const text = String(data);
      if (text === "close") socket.close(4001, "bye");
      else if (text === "last") socket.send(last);
      else if (text.startsWith("broadcast")) {
        for (const other of server.clients) if (other !== socket) other.send(text);
      } else socket.send(data, { binary: isBinary });
    });
    socket.on("close", (code, reason) => (last = `${code} ${reason}`));
  };
}
