// Rules of the house that no package has.

/** A suppression says which rule it silences and why: `// eslint-disable-next-line RULE -- reason`. */
const explainedSuppression = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { unexplained: 'Say which rule is silenced and why: eslint-disable-next-line RULE -- reason.' },
  },
  create(context) {
    const explained = /^\s*eslint-(?:disable|enable)(?:-next-line|-line)?\s+[\w@/-]+(?:\s*,\s*[\w@/-]+)*\s+--\s+\S+/;
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments())
          if (/^\s*eslint-disable/.test(comment.value) && !explained.test(comment.value))
            context.report({ loc: comment.loc, messageId: 'unexplained' });
      },
    };
  },
};

export default { rules: { 'explained-suppression': explainedSuppression } };
