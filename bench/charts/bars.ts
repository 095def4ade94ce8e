/** A curve for the terminal: a bar for each row. */

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly note: string;
}

const parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export function renderBars(bars: readonly Bar[], width = 40): string {
  const top = Math.max(...bars.map(({ value }) => value));
  const labelWidth = Math.max(...bars.map(({ label }) => label.length));
  const lines = bars.map(({ label, value, note }) => {
    const eighths = top > 0 ? Math.round((value / top) * width * 8) : 0;
    const bar = "█".repeat(eighths >> 3) + (parts[eighths & 7] as string);
    return `${label.padStart(labelWidth)} ${bar.padEnd(width)} ${note}`.trimEnd();
  });
  return `${lines.join("\n")}\n`;
}
