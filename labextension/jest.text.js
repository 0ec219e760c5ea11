/** A stylesheet or picture, imported as its text. */
module.exports = {
  process: text => ({ code: `module.exports = ${JSON.stringify(text)};` })
};
