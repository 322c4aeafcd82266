#include "tests/live/support/passwords.h"

#include <cstdint>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace warmfront::test {

static std::string digest(const EVP_MD* kind, std::string_view bytes) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), out, &size, kind, nullptr);
    return {reinterpret_cast<char*>(out), size};
}

static std::string md5_hex(std::string_view bytes) {
    std::string hex;
    for (const char byte : digest(EVP_md5(), bytes)) {
        constexpr char kDigits[] = "0123456789abcdef";
        hex += kDigits[static_cast<unsigned char>(byte) >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::string md5_answer(std::string_view user, std::string_view password, std::string_view salt) {
    return "md5" + md5_hex(md5_hex(std::string(password) + std::string(user)) + std::string(salt));
}

static std::string base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    text.resize(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size())));
    return text;
}

static std::string from_base64(std::string_view text) {
    std::string bytes(text.size() + 1, '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return {};
    const auto padding = text.size() - text.find_last_not_of('=') - 1;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

static std::string hmac(std::string_view key, std::string_view bytes) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out, &size);
    return {reinterpret_cast<char*>(out), size};
}

static std::string attribute(std::string_view message, std::string_view name) {  // "r=": up to the next comma
    const auto at = message.find(name);
    if (at == std::string_view::npos) return {};
    const auto value = message.substr(at + name.size());
    return std::string(value.substr(0, value.find(',')));
}

ScramClient::ScramClient(std::string password) : password_(std::move(password)) {
    unsigned char nonce[18];
    RAND_bytes(nonce, sizeof nonce);
    client_first_bare_ = "n=,r=" + base64({reinterpret_cast<char*>(nonce), sizeof nonce});
}

std::string ScramClient::initial_response() {
    const std::string data = "n,," + client_first_bare_;
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(data.size()));
    std::string body = "SCRAM-SHA-256";
    body += '\0';
    body.append(reinterpret_cast<const char*>(&size), 4);
    return body + data;
}

std::string ScramClient::answer(std::string_view server_first) {
    const std::string salt = from_base64(attribute(server_first, "s="));
    const int rounds = std::atoi(attribute(server_first, "i=").c_str());
    if (salt.empty() || rounds <= 0) return {};
    std::string salted(32, '\0');
    PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                      rounds, EVP_sha256(), 32, reinterpret_cast<unsigned char*>(salted.data()));
    const std::string without_proof = "c=biws,r=" + attribute(server_first, "r=");
    const std::string exchange = client_first_bare_ + "," + std::string(server_first) + "," + without_proof;
    const std::string client_key = hmac(salted, "Client Key");
    const std::string signature = hmac(digest(EVP_sha256(), client_key), exchange);
    std::string proof = client_key;
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];
    server_signature_ = base64(hmac(hmac(salted, "Server Key"), exchange));
    return without_proof + ",p=" + base64(proof);
}

bool ScramClient::proves_server(std::string_view server_final) const {
    return !server_signature_.empty() && attribute(server_final, "v=") == server_signature_;
}

}  // namespace warmfront::test
