//! STUN on the SIP port (RFC 5626 section 4.4.2).

use crate::scene::Scene;
use tokio::net::UdpSocket;

/// Section 7.3.1 of RFC 5389: the answer says where the request came from; nothing else is answered, and SIP goes on.
#[tokio::test]
async fn rfc5626_4_4_2_a_phone_behind_nat_asks_where_it_is() {
    let scene = Scene::with(|config| config.listen.udp.push("[::1]:0".parse().unwrap())).await;
    for server in scene.server.udp.clone() {
        let own = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).await.unwrap();
        let transaction = *b"\x21\x12\xa4\x42twelve octet";
        let request = [&[0, 1, 0, 0][..], &transaction].concat();
        // An indication, and half a request: nothing comes back for these.
        socket.send_to(&[&[0, 0x11, 0, 0][..], &transaction].concat(), server).await.unwrap();
        socket.send_to(&[&[0, 1, 0, 8][..], &transaction].concat(), server).await.unwrap();
        socket.send_to(&request, server).await.unwrap();
        let mut answer = [0; 100];
        let (length, _) = socket.recv_from(&mut answer).await.unwrap();
        assert_eq!(answer[..2], [1, 1]);
        assert_eq!(answer[4..20], transaction);
        let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
        assert_eq!(port, socket.local_addr().unwrap().port());
        let address: Vec<u8> =
            answer[28..length].iter().zip(&transaction).map(|(a, b)| a ^ b).collect();
        let expected = match server.ip() {
            std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
            std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        assert_eq!(address, expected);
    }
    scene.registered("bob").await;
    scene.stop().await;
}
