import { defineHandler } from "nitro/h3";
import { left } from "../../shared/parts.js";

export default defineHandler(() => String(left.count));
