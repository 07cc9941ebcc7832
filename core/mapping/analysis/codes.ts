import type { DiagnosticKind } from '../diagnostic.ts';

/** One row per diagnostic: severity, meaning, standing hint. */
export const DIAGNOSTICS = {
  'mapping.syntax': {
    severity: 'error',
    about: 'The text is not valid JSONata.',
    hint: 'Correct the text at the caret.',
  },
  'mapping.colon': {
    severity: 'error',
    about: 'Between a key and its value stands something else than a colon.',
    hint: 'Inside { … } write "key": value.',
  },
  'mapping.bindTarget': {
    severity: 'error',
    about: 'A value is bound to something that is not a variable.',
    hint: 'Variables begin with $: write $name := value.',
  },
  'mapping.nested': {
    severity: 'error',
    about: 'Expressions stand inside each other too deeply to be compiled.',
    hint: 'Give parts of it a name with := in a block.',
  },
  'mapping.unknownFunction': {
    severity: 'error',
    about: 'A function is called that neither the language nor the mapping defines.',
    hint: 'Check the spelling; define own functions before the call with $name := function(…){…}.',
  },
  'mapping.missingDollar': {
    severity: 'error',
    about: 'A function of the language is called without its $.',
    hint: 'Write $ before the name of the function.',
  },
  'mapping.impureFunction': {
    severity: 'error',
    about: 'A function is used whose result depends on more than its arguments ($now, $millis, $random, $shuffle).',
    hint: 'Take the time from $ctx.at and ids from $ctx.ids.',
  },
  'mapping.argumentCount': {
    severity: 'error',
    about: 'A function of the language is called with too few or too many arguments.',
    hint: 'Compare with the description of the function.',
  },
  'mapping.argumentType': {
    severity: 'error',
    about: 'A constant argument has a type that the function of the language does not take.',
    hint: 'Convert the value, or use another function.',
  },
  'mapping.extraArgument': {
    severity: 'warning',
    about: 'A function of the mapping is called with more arguments than it has parameters.',
    hint: 'The additional arguments are not used: remove them, or add parameters.',
  },
  'mapping.recursion': {
    severity: 'error',
    about: 'A function calls itself on every way through it, so it never ends.',
    hint: 'Add a condition under which it does not call itself.',
  },
  'mapping.unbound': {
    severity: 'error',
    about: 'A variable is used that is bound nowhere in sight.',
    hint: 'Bind it with := in the same or an outer block; only $, $$ and $ctx exist from the start.',
  },
  'mapping.forbiddenName': {
    severity: 'error',
    about: 'A field or variable is called __proto__, constructor or prototype.',
    hint: 'These names cannot be read or written.',
  },
  'mapping.duplicateKey': {
    severity: 'error',
    about: 'An object constructor has the same key twice, which fails when it is run.',
    hint: 'Remove one of them, or choose between the values with a condition.',
  },
  'mapping.regexRisk': {
    severity: 'warning',
    about:
      'A regular expression can take very long on some texts; it runs on an engine that counts its steps, and fails when it takes too many.',
    hint: 'Do not repeat a group that contains a repetition or alternatives that begin alike.',
  },
  'mapping.slowConstruct': {
    severity: 'warning',
    about: 'A construct is not compiled: the mapping needs the interpreter and runs only in the map node.',
    hint: 'Replace the construct; variables are best bound in a block before the constructor.',
  },
  'mapping.costly': {
    severity: 'info',
    about: 'A construct looks at all of the message: its time grows with everything that a peer sends.',
    hint: 'Name the path to the fields instead.',
  },
  'mapping.unused': {
    severity: 'warning',
    about: 'A variable is bound and never used.',
    hint: 'Remove the binding, or use it.',
  },
  'mapping.shadowed': {
    severity: 'warning',
    about: 'A variable or parameter hides another of the same name, or a function of the language.',
    hint: 'Give it a name of its own.',
  },
  'mapping.assignment': {
    severity: 'warning',
    about: 'A variable is compared and the outcome thrown away, where binding it was meant.',
    hint: 'Bind with :=, compare with =.',
  },
  'mapping.discarded': {
    severity: 'warning',
    about: 'The value of an expression in a block is thrown away; only the last one counts.',
    hint: 'Bind it to a variable, or remove it.',
  },
  'mapping.constantCondition': {
    severity: 'warning',
    about: 'A condition always has the same outcome.',
    hint: 'Remove the condition and the branch that is never taken.',
  },
  'mapping.unreachable': {
    severity: 'warning',
    about: 'A branch is never taken, because the same condition stands before it.',
    hint: 'Remove the branch, or correct its condition.',
  },
  'mapping.selfComparison': {
    severity: 'warning',
    about: 'Both sides of a comparison are the same.',
    hint: 'Compare with the other value that was meant.',
  },
  'mapping.comparedTypes': {
    severity: 'warning',
    about: 'Values of different types are compared; by the schemas this has only one outcome.',
    hint: 'Convert one side with $number or $string.',
  },
  'mapping.neverEqual': {
    severity: 'warning',
    about: 'A field is compared with a value that its schema does not allow.',
    hint: 'Compare with one of the values of the schema.',
  },
  'mapping.unknownSource': {
    severity: 'warning',
    about: 'A field is read that the source message does not have.',
    hint: 'Compare with the fields of the source message.',
  },
  'mapping.unknownContext': {
    severity: 'warning',
    about: 'A field of $ctx is read that does not exist.',
    hint: '$ctx has at, ids, resource, session and settings.',
  },
  'mapping.targetUnknown': {
    severity: 'warning',
    about: 'A field is written that the target message does not have.',
    hint: 'Compare with the fields of the target message.',
  },
  'mapping.targetMissing': {
    severity: 'warning',
    about: 'A required field of the target message is never written.',
    hint: 'Write the field; without it the result is refused.',
  },
  'mapping.targetValue': {
    severity: 'error',
    about: 'A constant is written that the schema of the target does not allow.',
    hint: 'Use one of the values of the schema.',
  },
  'mapping.targetType': {
    severity: 'error',
    about: 'A value of a type is written that the schema of the target does not allow.',
    hint: 'Convert it with $number or $string, or write another value.',
  },
  'mapping.undeclaredTopic': {
    severity: 'error',
    about: 'The mapping makes a message that its header does not name.',
    hint: 'Add the topic to `to:`.',
  },
  'mapping.optionalSource': {
    severity: 'warning',
    about: 'A value that may be missing is written to a required field.',
    hint: 'Give a default (x ?: 0), refuse with $assert($exists(x), "…"), or say `when: $exists(x)`.',
  },
  'mapping.listCollapse': {
    severity: 'warning',
    about: 'A sequence is written to a list: with one item it becomes the item, with none it is missing.',
    hint: 'Put it into [ … ], or add [] to the path.',
  },
  'mapping.listAsValue': {
    severity: 'warning',
    about: 'A sequence that may have several items is written to a field for one value.',
    hint: 'Choose one item, e.g. with [0], or combine them, e.g. with $sum.',
  },
  'mapping.unit': {
    severity: 'warning',
    about: 'A field with a unit suffix is fed from a field with another unit.',
    hint: 'Convert the value, e.g. multiply kW by 1000.',
  },
  'mapping.unitBeside': {
    severity: 'warning',
    about: 'A field with a unit suffix is fed from a value whose unit stands in another field, which is never read.',
    hint: 'Look at the unit before the value is used, e.g. value * (unit = "kW" ? 1000 : 1).',
  },
  'mapping.header': {
    severity: 'error',
    about: 'The header comment is missing, incomplete or says something twice.',
    hint: 'Begin the file with /* from: <language>/<Message>   to: <language>/<Message>   lost: [fields]   ref: <clause> */.',
  },
  'mapping.headerKey': {
    severity: 'warning',
    about: 'The header has an entry that nobody reads.',
    hint: 'Entries are from, to, variant, when, lost, carried and ref.',
  },
  'mapping.headerPath': {
    severity: 'error',
    about: 'The header contradicts the name or the folder of the file.',
    hint: 'Correct the header, or move the file.',
  },
  'mapping.headerTopic': {
    severity: 'error',
    about: 'The header names a language or message that is not known.',
    hint: 'Compare with the messages of the language.',
  },
  'mapping.headerRef': {
    severity: 'warning',
    about: 'A reference is not of the form `<document> <section>`.',
    hint: 'Write for example `ref: ocpp 2.2` or `ref: ocpp 5, fo 3.9`.',
  },
  'mapping.headerWhen': {
    severity: 'error',
    about: 'The condition of the header cannot be compiled.',
    hint: 'Correct the condition behind `when:`.',
  },
  'mapping.lostUnknown': {
    severity: 'warning',
    about: '`lost` or `carried` names a field that the source message does not have.',
    hint: 'Remove it, or correct its name; fields inside objects are written with dots.',
  },
  'mapping.lostRead': {
    severity: 'warning',
    about: '`lost` or `carried` names a field that the mapping reads.',
    hint: 'Remove it from the list.',
  },
  'mapping.lostMissing': {
    severity: 'warning',
    about: 'A field of the source is never read, and the header does not say so.',
    hint: 'Add it to `lost`, or to `carried` where the bridge takes it across.',
  },
  'mapping.examples': {
    severity: 'error',
    about: 'The examples beside a mapping cannot be read, or one of them does not hold.',
    hint: 'Correct the mapping, or the example.',
  },
} as const satisfies Record<string, DiagnosticKind>;

export type DiagnosticCode = keyof typeof DIAGNOSTICS;

/** Findings without which a mapping cannot be compiled at all; it does not run. */
export const FATAL: ReadonlySet<string> = new Set<DiagnosticCode>([
  'mapping.syntax',
  'mapping.colon',
  'mapping.bindTarget',
  'mapping.nested',
  'mapping.unknownFunction',
  'mapping.impureFunction',
  'mapping.unbound',
  'mapping.forbiddenName',
]);
