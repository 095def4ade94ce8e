import { createServer } from "node:http";
import { listener } from "./shared/node-listener.js";

const server = createServer(listener);
server.listen(process.env.PORT, () => {});
