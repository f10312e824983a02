import { timeText } from "./history.ts";
import { plain } from "./plain.ts";

/** Prints columns that are as wide as what is in them. */
export function show(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, plain(row[column] ?? "").length), 0),
  );
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => plain(cell).padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

/** A time as the API writes it, for a column; nothing where nothing has happened. */
export function when(iso: string | null): string {
  return iso === null ? "" : timeText(iso);
}
