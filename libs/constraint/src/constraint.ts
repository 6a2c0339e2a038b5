/** JSON that satisfies a schema. */
export interface JsonConstraint {
  readonly type: 'json';
  readonly schema: unknown;
  /** Members come in the order in which the schema names them. */
  readonly ordered: boolean;
}

/** Text that a regular expression matches as a whole. */
export interface RegexConstraint {
  readonly type: 'regex';
  readonly pattern: string;
}

/** One of some texts. */
export interface ChoiceConstraint {
  readonly type: 'choice';
  readonly choices: string[];
}

/** JSON between two texts, such as a tool call in a model's markup. */
export interface Tag {
  readonly begin: string;
  readonly schema: unknown;
  readonly end: string;
}

/** Tagged stretches of JSON, one after the other. */
export interface TaggedConstraint {
  readonly type: 'tagged';
  readonly tags: Tag[];
  /** Text may stand before, between and behind them; what begins a tag is one. */
  readonly freeText: boolean;
  /** With which every tag begins: it stands nowhere in free text, whatever follows it. */
  readonly opener?: string;
  readonly least: number;
  /** Null: any number. */
  readonly most: number | null;
  /** Between two tags where there is no free text. */
  readonly separator: string;
  /** What may be written in place of all tags; not with free text. */
  readonly instead?: JsonConstraint;
}

/** What an answer is held to. */
export type Constraint = JsonConstraint | RegexConstraint | ChoiceConstraint | TaggedConstraint;
