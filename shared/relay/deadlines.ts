/** Something with a time. `slot` is where the heap keeps it: the heap's own, -1 while it is not in there. */
export interface Timed {
  expires_at: number;
  slot: number;
}

/** A binary heap by `expires_at` that can also let go of any item: O(log n) each, so that a call costs no scan. */
export class Deadlines<T extends Timed> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: T): void {
    item.slot = this.#heap.length;
    this.#heap.push(item);
    this.#rise(item);
  }

  /** Nothing happens where it is not in here. */
  remove(item: T): void {
    if (this.#heap[item.slot] !== item) return;
    const slot = item.slot;
    item.slot = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#put(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: T): void {
    while (item.slot > 0) {
      const parent = this.#heap[(item.slot - 1) >> 1];
      if (parent === undefined || parent.expires_at <= item.expires_at) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.slot + 1];
      const right = this.#heap[2 * item.slot + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.expires_at < left.expires_at ? right : left;
      if (item.expires_at <= child.expires_at) return;
      this.#swap(item, child);
    }
  }

  #swap(a: T, b: T): void {
    const slot = a.slot;
    this.#put(a, b.slot);
    this.#put(b, slot);
  }

  #put(item: T, slot: number): void {
    item.slot = slot;
    this.#heap[slot] = item;
  }
}
