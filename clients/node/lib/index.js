'use strict';

const { Weir, VERSION } = require('./client.js');
const { form, keyConsumer } = require('./route.js');
const { uuidv7 } = require('./event.js');

module.exports = { Weir, VERSION, form, keyConsumer, uuidv7 };
