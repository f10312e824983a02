/**
 * How much there is of something within a loop, for one of its items: so much, and so much for each step of weight and each
 * character that the item has. Items differ, and together they have what their list has: a loop over a thousand texts reads
 * no more than all of them, which the largest of them a thousand times would be far above.
 */
export interface Amount {
  readonly fixed: number;
  readonly weight: number;
  readonly chars: number;
}

/** What a loop runs over: how many items, and what all of them have together. */
export interface Items {
  readonly count: number;
  readonly weight: number;
  readonly chars: number;
  /** Characters of the longest text among them. */
  readonly longest: number;
}

export const NONE: Amount = { fixed: 0, weight: 0, chars: 0 };

export function amount(fixed: number): Amount {
  return { fixed, weight: 0, chars: 0 };
}

export function plus(one: Amount, other: Amount): Amount {
  return {
    fixed: one.fixed + other.fixed,
    weight: one.weight + other.weight,
    chars: one.chars + other.chars,
  };
}

export function scaled({ fixed, weight, chars }: Amount, by: number): Amount {
  return { fixed: product(fixed, by), weight: product(weight, by), chars: product(chars, by) };
}

/** At least as large as either, for every item. */
export function larger(one: Amount, other: Amount): Amount {
  return {
    fixed: Math.max(one.fixed, other.fixed),
    weight: Math.max(one.weight, other.weight),
    chars: Math.max(one.chars, other.chars),
  };
}

/** At least as large as the smaller of both, for every item: the one of which there is less in all. */
export function smaller(one: Amount, other: Amount, items: Items): Amount {
  return total(one, items) <= total(other, items) ? one : other;
}

/** At least as large as the product, for every item: of one of the two the most is taken that any item has. */
export function times(one: Amount, other: Amount, items: Items): Amount {
  return smaller(scaled(one, top(other, items)), scaled(other, top(one, items)), items);
}

/** For the largest item. */
export function top({ fixed, weight, chars }: Amount, items: Items): number {
  return fixed + product(weight, items.weight) + product(chars, Math.min(items.chars, items.longest));
}

/** For all items together. */
export function total({ fixed, weight, chars }: Amount, items: Items): number {
  return product(fixed, items.count) + product(weight, items.weight) + product(chars, items.chars);
}

/** Nothing of what has no end is nothing. */
function product(one: number, other: number): number {
  return one === 0 || other === 0 ? 0 : one * other;
}
