//! CRAM-MD5 (RFC 2195): HMAC (RFC 2104) over MD5 (RFC 1321). Broken as a hash, and still what some mail servers ask for;
//! used for nothing else.

use std::fmt::Write;

const BLOCK: usize = 64;

/// The answer to a challenge, before base64.
pub(super) fn answer(username: &str, secret: &str, challenge: &[u8]) -> String {
    let mut out = format!("{username} ");
    for byte in hmac(secret.as_bytes(), challenge) {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 16] {
    let mut block = [0; BLOCK];
    match key.len() > BLOCK {
        true => block[..16].copy_from_slice(&md5(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let keyed = |pad: u8, tail: &[u8]| md5(&[&block.map(|byte| byte ^ pad)[..], tail].concat());
    keyed(0x5c, &keyed(0x36, message))
}

fn md5(message: &[u8]) -> [u8; 16] {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let bits = (message.len() as u64).wrapping_mul(8);
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % BLOCK != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&bits.to_le_bytes());

    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(BLOCK) {
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            // RFC 1321 §3.4 defines the constants so; a 64-bit float has the digits for it.
            let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let word = &block[4 * word..4 * word + 4];
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            let sum = a.wrapping_add(mixed).wrapping_add(constant).wrapping_add(word);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(TURNS[step / 16][step % 4])));
        }
        for (whole, part) in state.iter_mut().zip([a, b, c, d]) {
            *whole = whole.wrapping_add(part);
        }
    }
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 16]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_rfc_1321() {
        let cases = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ];
        for (message, want) in cases {
            assert_eq!(hex(md5(message.as_bytes())), want);
        }
    }

    #[test]
    fn keyed_digests_are_those_of_rfc_2202() {
        assert_eq!(hex(hmac(b"Jefe", b"what do ya want for nothing?")), "750c783e6ab0b503eaa86e310a5db738");
        let long = hmac(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(long), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    }

    #[test]
    fn the_answer_is_that_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(answer("tim", "tanstaaftanstaaf", challenge), "tim b913a602c7eda7a495b4e6e7334d3890");
    }
}
