/** A key of the usage index: one of all items, or one of a single item. */
export const usageKey = (prefix: string, name: string, mmHash?: string): string =>
  [`${prefix}:ec:{usage}`, name, ...(mmHash === undefined ? [] : [mmHash])].join(':');
