/** The SQL texts in a source, each as its fixed parts: between two of them something is put in. */
export function sqlTextsIn(source: string): string[][] {
  return literalsIn(source).filter((parts) =>
    /\b(SELECT|INSERT|UPDATE|DELETE|INDEXED BY)\s/.test(parts.join(" ")),
  );
}

function literalsIn(source: string): string[][] {
  const literals: string[][] = [];
  // A template in another's gap is a literal of its own: those that are open, the innermost last.
  const open: { parts: string[]; depth: number }[] = [];
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const rest = source.slice(at, at + 2);
    const template = open.at(-1);
    if (template && template.depth === depth) {
      const end = /[^\\](`|\$\{)/.exec(` ${source.slice(at)}`);
      if (!end) throw new Error("a template without an end");
      template.parts.push(source.slice(at, at + end.index));
      at += end.index + (end[1] ?? "").length - 1;
      if (end[1] === "`") {
        literals.push(template.parts);
        open.pop();
      } else depth += 1;
    } else if (rest === "//") at = source.indexOf("\n", at);
    else if (rest === "/*") at = source.indexOf("*/", at) + 1;
    else if (rest[0] === '"') {
      const [text = ""] = /^"(?:[^"\\]|\\.)*"/.exec(source.slice(at)) ?? [];
      literals.push([text.slice(1, -1)]);
      at += text.length - 1;
    } else if (rest[0] === "`") open.push({ parts: [], depth });
    else if (rest[0] === "{") depth += 1;
    else if (rest[0] === "}") depth -= 1;
  }
  return literals;
}
