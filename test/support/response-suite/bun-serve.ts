/** A bare Bun.serve with an app of the suite, in the words of gunicorn-ts. */
import { bare, hooked } from "./app.ts";

const app = process.argv[2] === "hooked" ? hooked : bare;
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, development: false, ...app });
process.stdout.write(`Listening at: http://127.0.0.1:${server.port}\n`);
