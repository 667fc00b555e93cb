export { openApiDocument } from './http/open-api-document.ts';
