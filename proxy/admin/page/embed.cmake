# Writes the files of the live page as constants into a C++ file: cmake -D OUTPUT=... -D FILES=a;b -P embed.cmake
# A file "page.js" becomes warmfront::admin::page::page_js.
set(text "// Made by proxy/admin/page/embed.cmake.\n#include <string_view>\nnamespace warmfront::admin::page {\n")
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    # A line for each 32 bytes: compilers bound the length of a line's tokens, not of their concatenation.
    string(REGEX REPLACE "((\\\\x..)(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?)" "    \"\\1\"\n" bytes "${bytes}")
    string(APPEND text "constexpr char ${name}_bytes[] =\n${bytes};\n")
    string(APPEND text "constexpr std::string_view ${name}{${name}_bytes, sizeof ${name}_bytes - 1};\n")
endforeach()
string(APPEND text "}\n")
file(WRITE ${OUTPUT} "${text}")
