/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
/** An element with attributes and children. Text is text: nothing is ever read as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute === 'onclick') made.addEventListener('click', value);
    else made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);
