import { defineHandler } from "nitro/h3";
import { text } from "../../shared/parts.js";

export default defineHandler(() => text);
