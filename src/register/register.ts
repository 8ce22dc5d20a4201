/**
 * `node --import napi-reload/register app.js`, or `-r`: every `.node` file that the app loads is a handle's exports, and
 * goes over to what is built anew. The app itself is as it was.
 */
import { install } from './install.ts';

install();
