# SPDX-License-Identifier: GPL-2.0-or-later
# Writes the console's files down as C++, when CMake configures: embed_console(FOLDER OUTPUT).
# Each is compressed, and served below a folder that is named after the content of all of them: scripts find each other by
# relative names, and a browser never mixes two versions.
function(embed_console FOLDER OUTPUT)
    file(GLOB_RECURSE names CONFIGURE_DEPENDS RELATIVE ${FOLDER} ${FOLDER}/*)
    list(SORT names)

    set(all "")
    foreach(name IN LISTS names)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FOLDER}/${name})
        file(SHA256 ${FOLDER}/${name} hash)
        string(APPEND all "${name} ${hash}\n")
    endforeach()
    string(SHA256 hash "${all}")
    string(SUBSTRING ${hash} 0 16 hash)

    set(types_js "text/javascript; charset=utf-8")
    set(types_css "text/css; charset=utf-8")
    set(types_html "text/html; charset=utf-8")
    set(types_svg "image/svg+xml")

    set(arrays "")
    set(rows "")
    set(number 0)
    foreach(name IN LISTS names)
        cmake_path(GET name EXTENSION LAST_ONLY extension)
        string(SUBSTRING ${extension} 1 -1 extension)
        file(READ ${FOLDER}/${name} text)
        string(REPLACE "@HASH@" ${hash} text "${text}")
        file(WRITE ${OUTPUT}.part "${text}")
        execute_process(COMMAND gzip -9 -n -c ${OUTPUT}.part OUTPUT_FILE ${OUTPUT}.part.gz COMMAND_ERROR_IS_FATAL ANY)
        file(READ ${OUTPUT}.part.gz bytes HEX)
        file(REMOVE ${OUTPUT}.part ${OUTPUT}.part.gz)
        string(LENGTH "${bytes}" size)
        math(EXPR size "${size} / 2")
        string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
        string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
        set(path "/console/${hash}/${name}")
        if(name STREQUAL "index.html")
            set(path "/")
        endif()
        string(APPEND arrays "constexpr std::array<unsigned char, ${size}> kFile${number}{\n${bytes}};\n\n")
        string(APPEND rows "    ConsoleAsset{\"${path}\", \"${types_${extension}}\", kFile${number}},\n")
        math(EXPR number "${number} + 1")
    endforeach()

    file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "// Made from agent/http/console/web.
#include <array>

#include \"http/console/console.h\"

namespace headgate::http {
namespace {

${arrays}constexpr std::array kConsoleAssets{
${rows}};

}  // namespace

std::span<const ConsoleAsset> console_assets() {
    return kConsoleAssets;
}

}  // namespace headgate::http
")
endfunction()
