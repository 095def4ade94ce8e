import { createServer } from "node:http";
import { listener } from "./shared/node-listener.js";

export default (req, res) => listener(req, res);

if (import.meta.main) createServer(listener).listen(process.env.PORT);
