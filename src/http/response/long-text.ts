/**
 * Long texts as bytes, with room for a head in front. To count the bytes of a text and to copy it behind its head are two
 * ways through 64 KiB; a text that is ASCII tells how many it has when it is copied (bench: text-64k).
 */
import { blockBytes, giveBlock, takeBlock } from "./blocks.ts";
import { headRoom } from "./file.ts";

/** A shorter one isn't worth a block. */
const shortest = 16 * 1024;

/** UTF-8 has no more of a character of JavaScript's, so that a text that was cut is longer than its letters say. */
const spareBytes = 4;

const longest = blockBytes - headRoom - spareBytes;

/** Letters that are looked at: writing a text of many beyond ASCII may cost more than all else (utf8.ts). */
const samples = 32;

/** A block with `text` from headRoom on; null: it is shorter or longer, or isn't ASCII. The caller gives the block on. */
export function blockOfText(text: string): Buffer | null {
  const { length } = text;
  if (length < shortest || length > longest || !seemsAscii(text)) return null;
  const block = takeBlock();
  if (block.utf8Write(text, headRoom) === length) return block;
  giveBlock(block);
  return null;
}

function seemsAscii(text: string): boolean {
  const step = Math.floor(text.length / samples);
  for (let sample = 0; sample < samples; sample++)
    if (text.charCodeAt(sample * step) > 0x7f) return false;
  return true;
}
