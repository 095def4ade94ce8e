/** Apps with websockets, natively and under gunicorn-ts. */
import { websocketApps } from "./websocket-apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(websocketApps);
