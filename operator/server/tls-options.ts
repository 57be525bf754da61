import type { SecureContextOptions } from 'node:tls';

/**
 * What the server agrees to. Of TLS 1.2 only suites with authenticated encryption (none in CBC mode) and forward
 * secrecy; all of TLS 1.3 are.
 *
 * To be given again with every certificate: a context that is replaced keeps nothing of the one before.
 */
export const tlsOptions: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
};
