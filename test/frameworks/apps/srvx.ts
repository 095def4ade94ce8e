import { serve } from "srvx";
import { handle } from "./shared/fetch-handler.js";

serve({ port: process.env.PORT, silent: true, fetch: (request) => handle(request, request.ip) });
