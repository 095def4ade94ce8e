/** Bun.serve's handlers for websockets, and the request that opens one. */
let last = "nobody";

export const websocket = {
  open: (ws) => ws.subscribe("all"),
  message(ws, message) {
    if (message === "close") ws.close(4001, "bye");
    else if (message === "last") ws.send(last);
    else if (String(message).startsWith("broadcast")) ws.publish("all", message);
    else ws.send(message);
  },
  close(ws, code, reason) {
    last = `${code} ${reason}`;
  },
};

export function upgrade(request, server) {
  const asked = request.headers.get("sec-websocket-protocol");
  const headers = asked === null ? {} : { "Sec-WebSocket-Protocol": asked.split(",")[0] };
  if (server.upgrade(request, { headers })) return undefined;
  return new Response("no websocket", { status: 426 });
}
