/** Apps that stand on fetch or Bun.serve, natively and under gunicorn-ts. */
import { fetchApps } from "./fetch-apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(fetchApps);
