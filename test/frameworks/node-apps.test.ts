/** Apps that stand on node:http, natively and under gunicorn-ts. */
import { nodeApps } from "./node-apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(nodeApps);
