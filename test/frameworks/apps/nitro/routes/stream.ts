import { defineHandler } from "nitro/h3";
import { encoded, wordByWord } from "../../shared/parts.js";

export default defineHandler(() => encoded(wordByWord()));
