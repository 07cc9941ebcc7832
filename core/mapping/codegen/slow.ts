interface SlowConstruct {
  /** Names the construct in diagnostics. */
  readonly construct: string;
  /** When it cannot be compiled, and why. */
  readonly when: string;
}

/**
 * What is not compiled. The result of the interpreter depends there on the order in which its promises settle: it
 * evaluates the parts of a constructor at the same time. All other uses of `:=` in constructors are compiled.
 */
export const SLOW_CONSTRUCTS = {
  race: {
    construct: 'a variable bound inside a constructor',
    when: 'Another part of the same constructor, or a function, uses or binds the variable as well: which value is seen is chance. What a text given to $eval binds counts, and a computed text may bind anything.',
  },
  groupBind: {
    construct: 'a variable bound inside a grouping',
    when: 'The keys of the grouping or object are computed: the value is evaluated for several groups at the same time.',
  },
  unknown: {
    construct: 'a construct that this engine does not know',
    when: 'Cannot happen with the pinned parser.',
  },
} as const satisfies Record<string, SlowConstruct>;
