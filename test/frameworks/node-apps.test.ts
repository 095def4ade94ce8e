/** Apps that stand on node:http, natively and under gunicorn-ts. */
import { nodeApps } from "./apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(nodeApps);
