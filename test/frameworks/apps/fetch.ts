import { handle } from "./shared/fetch-handler.js";

export default {
  fetch: (request, server) => handle(request, server.requestIP(request).address),
};
