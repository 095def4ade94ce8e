/** Rows of text, in columns for a terminal or as Markdown. */

export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows);
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** The first row is the heading. Laid out as `bun fmt` does it. */
export function renderMarkdown(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows).map((width) => Math.max(3, width));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(" | ")} |`;
  const [heading = [], ...rest] = rows;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${[line(heading), rule, ...rest.map(line)].join("\n")}\n`;
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
}

/** Three significant digits, but no fewer than the whole part. */
export function showNumber(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Milliseconds of a latency; a dash for one that the load generator couldn't tell (wrk, when it pipelines). */
export function showMs(us: number): string {
  return us > 0 ? showNumber(us / 1000) : "-";
}
