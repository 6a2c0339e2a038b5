export type Cell = string | number | null;

/** A table of text: words to the left, numbers to the right; null shows as a dash. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) => row.map(shown));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...text.map((row) => row[i]?.length ?? 0)),
  );
  const isNumber = headings.map((_, i) => rows.every((row) => typeof row[i] !== 'string'));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...text.map(line)].join(
    '\n',
  );
}

/** Three significant digits, and every digit of what stands before the point. */
function shown(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell)) return String(cell);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(cell) || 1)));
  return cell.toFixed(Math.min(3, digits));
}
