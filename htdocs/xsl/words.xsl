<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- words.xsl: fills counts and durations into texts of the catalogues. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <!-- The text of `key` with `count` in it. If the count is 1 and the catalogue has KEY.one, that
       text. -->
  <xsl:template name="counted">
    <xsl:param name="key"/>
    <xsl:param name="count"/>
    <xsl:variable name="one" select="concat($key, '.one')"/>
    <xsl:choose>
      <xsl:when test="string($count) = '1' and m:has($one)">
        <xsl:value-of select="m:text($one, string($count))"/>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="m:text($key, string($count))"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Seconds in words: "2 dakika 51 saniye". -->
  <xsl:template name="duration">
    <xsl:param name="seconds"/>
    <xsl:variable name="minutes" select="floor($seconds div 60)"/>
    <xsl:variable name="rest" select="$seconds mod 60"/>
    <xsl:if test="$minutes &gt; 0">
      <xsl:call-template name="counted">
        <xsl:with-param name="key" select="'duration.minutes'"/>
        <xsl:with-param name="count" select="$minutes"/>
      </xsl:call-template>
    </xsl:if>
    <xsl:if test="$minutes &gt; 0 and $rest &gt; 0"><xsl:text> </xsl:text></xsl:if>
    <xsl:if test="$rest &gt; 0 or $minutes = 0">
      <xsl:call-template name="counted">
        <xsl:with-param name="key" select="'duration.seconds'"/>
        <xsl:with-param name="count" select="$rest"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>

</xsl:stylesheet>
