/** Apps with websockets, natively and under gunicorn-ts. */
import { websocketApps } from "./apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(websocketApps);
