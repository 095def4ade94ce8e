/** A bare Bun.serve: a peer of the differential test. Its first line of output is its port, and it ends with its input. */
import { fetch } from "./app.ts";

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
process.stdout.write(`${server.port}\n`);
process.stdin.resume().on("end", () => process.exit());
