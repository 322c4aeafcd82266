#include "config/conninfo.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;

TEST_CASE("conninfo: passwords are hidden, everything else stays") {
    struct Row {
        std::string_view conninfo, masked;
    };
    for (const auto& [conninfo, masked] : std::vector<Row>{
             {"", ""},
             {"host=127.0.0.1 port=5432 user=postgres", "host=127.0.0.1 port=5432 user=postgres"},
             {"user=u password=s3cret dbname=d", "user=u password=*** dbname=d"},
             {"password=s3cret", "password=***"},
             {"password = s3cret user=u", "password = *** user=u"},
             {"password='s3 cr\\'et' user=u", "password=*** user=u"},
             {"password=s3\\ cret user=u", "password=*** user=u"},
             {"password= user=u", "password= ***"},
             {"user='u password=x' host=h", "user='u password=x' host=h"},
             {"sslpassword=k3y password=s3cret", "sslpassword=*** password=***"},
             {"passfile=/home/u/.pgpass", "passfile=/home/u/.pgpass"},
             {"\npassword=s3cret\n", "\npassword=***\n"},
             {"password='s3cret", "***"},
             {"user=u password s3cret", "***"},
             {"postgresql://", "postgresql://"},
             {"postgresql://host/db", "postgresql://host/db"},
             {"postgresql://u@host:5432/db", "postgresql://u@host:5432/db"},
             {"postgresql://u:s3cret@host:5432/db", "postgresql://u:***@host:5432/db"},
             {"postgres://u:s3?ret@[::1]:5432/db", "postgres://u:***@[::1]:5432/db"},
             {"postgres://u:s3@cret@host", "postgres://u:***@host"},
             {"postgresql://host/db?user=u&password=s3cret&sslmode=require",
              "postgresql://host/db?user=u&password=***&sslmode=require"},
             {"postgresql:///db?user=a@b&password=s3cret", "postgresql:///db?user=a@b&password=***"},
             {"postgresql://h?pass%77ord=s3cret", "postgresql://h?pass%77ord=***"},
             {"postgresql://h?sslpassword=s3cret&", "postgresql://h?sslpassword=***&"}}) {
        CAPTURE(conninfo);
        CHECK(mask_passwords(conninfo) == masked);
    }
}

TEST_CASE("conninfo: no cut of a connection string shows its password") {
    for (const std::string whole :
         {"host=h password='s3cret' user=u", "postgresql://u:s3cret@h/db?password=s3cret"}) {
        for (std::size_t end = 0; end <= whole.size(); ++end) {
            const std::string cut = whole.substr(0, end);
            // Before its @ a password looks like a port: nothing tells the two apart.
            if (cut.starts_with("postgresql") && cut.find('@') == std::string::npos) continue;
            CAPTURE(cut);
            CHECK(mask_passwords(cut).find("s3c") == std::string::npos);
        }
    }
}
